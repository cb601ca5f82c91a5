/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The structs of the SCSI mid-layer and of LIO, reduced to the fields that the programs read, as in
 * kernel.h. Their BTF is the kernel's, or that of scsi_mod and target_core_mod.
 */
#ifndef LUNSCOPE_SCSI_KERNEL_H
#define LUNSCOPE_SCSI_KERNEL_H

#include <linux/types.h>

/* include/linux/dma-direction.h */
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

/* include/scsi/scsi.h: the answers of a low-level driver that has no room for a command. */
#define SCSI_MLQUEUE_HOST_BUSY 0x1055
#define SCSI_MLQUEUE_DEVICE_BUSY 0x1056
#define SCSI_MLQUEUE_TARGET_BUSY 0x1058

/* Bytes of text in INQUIRY data (SPC-5 6.6.2), which scsi_device points to. */
#define INQUIRY_VENDOR_BYTES 8
#define INQUIRY_MODEL_BYTES 16

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct scsi_host_template {
  const char* name;
  const char* proc_name; /* may be NULL */
};

struct Scsi_Host {
  struct scsi_host_template* hostt;
  unsigned int host_no;
};

struct scsi_device {
  struct Scsi_Host* host;
  unsigned int id;
  unsigned int channel;
  __u64 lun;
  unsigned char type;
  unsigned char* inquiry; /* NULL: not identified yet, and the members below are unset */
  const char* vendor;
  const char* model;
};

struct scsi_data_buffer {
  unsigned int length;
};

struct scsi_cmnd {
  struct scsi_device* device;
  int retries;
  unsigned short cmd_len;
  enum dma_data_direction sc_data_direction;
  unsigned char cmnd[32];
  struct scsi_data_buffer sdb;
  unsigned int resid_len;
  unsigned char* sense_buffer;
  int result;
};

struct config_item {
  char* ci_name;
};

struct config_group {
  struct config_item cg_item;
};

struct se_wwn {
  struct config_group wwn_group;
};

struct se_portal_group {
  struct se_wwn* se_tpg_wwn;
};

struct se_node_acl {
  char initiatorname[224];
  __u32 acl_index; /* counted up: unique while the module is loaded */
};

struct se_session {
  struct se_node_acl* se_node_acl;
  struct se_portal_group* se_tpg;
};

struct target_core_fabric_ops {
  const char* fabric_name;
};

struct se_cmd {
  __u8 scsi_status;
  enum dma_data_direction data_direction;
  __u32 data_length;
  __u32 residual_count;
  __u64 orig_fe_lun;
  void* sense_buffer;
  struct se_session* se_sess;
  const struct target_core_fabric_ops* se_tfo;
  unsigned char* t_task_cdb;
};

#pragma clang attribute pop

#endif
